# One image for simulator, ingest and api: the `jinma` command. docker-compose.yml says which of them a container is.
ARG PYTHON_IMAGE=python:3.13.5-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
RUN python -m venv /opt/jinma
# The lock alone first: this layer is made anew only when a dependency changes. Every file by its hash.
COPY requirements.lock ./
RUN /opt/jinma/bin/pip install --require-hashes --no-deps -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY station station
COPY simulators simulators
COPY ingest ingest
COPY api api
COPY dashboards dashboards
COPY cli cli
COPY deploy/docker/superfluous.py ./
# The lock holds the tools of tests and build too; they leave before the next stage takes the rest.
RUN /opt/jinma/bin/pip install --no-deps --no-build-isolation . \
 && /opt/jinma/bin/python superfluous.py jinma > superfluous.txt \
 && /opt/jinma/bin/pip uninstall --yes --quiet --requirement superfluous.txt \
 && /opt/jinma/bin/jinma --help > /dev/null

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="jinma" org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /data jinma \
 && install --directory --owner=jinma --group=jinma --mode=0700 /data
COPY --from=build /opt/jinma /opt/jinma
COPY deploy/docker/connected.py /opt/jinma/connected.py
# No byte code is written at run time: the root is read-only.
ENV PATH=/opt/jinma/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 JINMA_DATA_DIR=/data JINMA_HOST=0.0.0.0
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
ENTRYPOINT ["jinma"]
CMD ["serve"]
