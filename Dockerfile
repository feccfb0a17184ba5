# Paylink in a container: `make image`, or `make wheel` and `docker build -t paylink-bot .`. See deploy/README.md.
FROM python:3.11-slim-bookworm AS build
COPY requirements/runtime.txt /build/
RUN python -m venv --without-pip /opt/paylink \
    && pip --python /opt/paylink/bin/python install --no-cache-dir --no-compile --require-hashes -r /build/runtime.txt
COPY dist/paylink_bot-*.whl /build/
RUN pip --python /opt/paylink/bin/python install --no-cache-dir --no-deps --no-index /build/paylink_bot-*.whl \
    && /opt/paylink/bin/python -m compileall -q /opt/paylink/lib

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /var/lib/paylink --create-home --shell /usr/sbin/nologin paylink \
    && chmod 0700 /var/lib/paylink
COPY --from=build /opt/paylink /opt/paylink
# The SQLite file, unless DATABASE_URL says otherwise, is in the volume; nothing else is written to.
ENV PATH=/opt/paylink/bin:$PATH \
    XDG_DATA_HOME=/var/lib \
    CREDENTIALS_DIRECTORY=/run/secrets \
    PYTHONDONTWRITEBYTECODE=1 \
    PORT=8080
USER 10001:10001
WORKDIR /var/lib/paylink
VOLUME /var/lib/paylink
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/healthz\", timeout=4)"]
ENTRYPOINT ["paylink"]
CMD ["serve"]
