# usage: docker build -t genbridge .      docker run -v genbridge:/var/lib/genbridge -v ./config.yaml:/etc/genbridge/config.yaml:ro
#          -p 127.0.0.1:8383:8383 --read-only --cap-drop ALL --security-opt no-new-privileges --stop-timeout 45 genbridge
# In the configuration `server.listen` is 0.0.0.0:8383, so a token is needed; a secret is read with ${file:/run/secrets/NAME}.
# No '# syntax=' line on purpose: BuildKit would fetch a front end before anything else.
ARG BASE=python:3.12-slim-bookworm

FROM ${BASE} AS build
WORKDIR /src
COPY requirements.lock ./
RUN python3 -m venv /opt/genbridge \
 && /opt/genbridge/bin/pip install --quiet --no-cache-dir --only-binary :all: --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY bridge/ bridge/
RUN /opt/genbridge/bin/pip install --quiet --no-cache-dir --no-index --no-deps --no-build-isolation . \
 && /opt/genbridge/bin/pip uninstall --yes --quiet editables hatchling pip

FROM ${BASE}
RUN groupadd --gid 10001 genbridge \
 && useradd --no-log-init --uid 10001 --gid 10001 --home-dir /var/lib/genbridge --no-create-home --shell /usr/sbin/nologin genbridge \
 && install -d -o genbridge -g genbridge -m 0700 /var/lib/genbridge
COPY --from=build /opt/genbridge /opt/genbridge
ENV PATH=/opt/genbridge/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONFAULTHANDLER=1
USER 10001:10001
WORKDIR /var/lib/genbridge
VOLUME ["/var/lib/genbridge"]
EXPOSE 8383
STOPSIGNAL SIGTERM
# /healthz, not /readyz: a full disk must not get the container replaced.
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s --retries=3 \
  CMD ["python3", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8383/healthz', timeout=2)"]
ENTRYPOINT ["genbridge"]
CMD ["run", "-c", "/etc/genbridge/config.yaml"]
