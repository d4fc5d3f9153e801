"""Kafka's replication quota, as it counts: eleven samples of a second."""

from __future__ import annotations

from collections import deque


class Quota:
    """Kafka's replication quota: bytes of the last eleven one-second samples, over the time they span."""

    def __init__(self, bound: float) -> None:
        self.bound = bound
        self.samples: deque[list[float]] = deque()  # [start, bytes]

    def record(self, now: float, amount: float) -> None:
        if not self.samples or now - self.samples[-1][0] >= 1 - 1e-9:
            self.samples.append([now, 0.0])
        self.samples[-1][1] += amount

    def exceeded(self, now: float) -> bool:
        while self.samples and now - self.samples[0][0] >= 11 - 1e-9:
            self.samples.popleft()
        span = max(now - self.samples[0][0], 1.0) if self.samples else 1.0
        return sum(amount for _, amount in self.samples) / span > self.bound
