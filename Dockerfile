# The app, as one user without rights. Behind a proxy that asks for a login: docs/deployment.md.
FROM python:3.12-slim AS build
WORKDIR /source
COPY . .
RUN pip install --no-cache-dir --disable-pip-version-check -c constraints.txt build \
    && python -m build --wheel --outdir /wheel .

FROM python:3.12-slim
COPY --from=build /wheel /wheel
COPY constraints.txt /wheel/
RUN pip install --no-cache-dir --disable-pip-version-check -c /wheel/constraints.txt \
        "$(ls /wheel/*.whl)[app,report]" \
    && rm -rf /wheel \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin planner
USER 10001
# nothing is written: the file system may be read-only
ENV HOME=/nonexistent PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4).close()"]
# more arguments follow: --allow-host planner.example.com
ENTRYPOINT ["kafka-planner", "app", "--port", "8501", "--address", "0.0.0.0"]
