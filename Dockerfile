# shunt in a container: the wheel and nothing else, as a user without rights.
#   docker build -t shunt .
#   docker run -p 127.0.0.1:8082:8082 --env-file shunt.env -v shunt:/data shunt
# `shunt help headless` tells which variables there are.
FROM python:3.13-slim AS wheel
WORKDIR /src
COPY pyproject.toml README.md LICENSE requirements.lock ./
COPY shunt ./shunt
RUN pip install --no-cache-dir build==1.3.0 \
    && python -m build --wheel --outdir /wheels

FROM python:3.13-slim
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SHUNT_HOME=/data \
    SHUNT_SERVER_HOST=0.0.0.0
COPY --from=wheel /wheels /wheels
COPY requirements.lock /wheels/
# Versions and hashes of everything are those of the lock file; modules are compiled once, here.
RUN pip install --no-cache-dir --require-hashes --requirement /wheels/requirements.lock \
    && pip install --no-cache-dir --no-deps /wheels/*.whl \
    && python -m compileall -q "$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
    && rm -rf /wheels \
    && useradd --system --uid 10001 --user-group --no-create-home --home-dir /data shunt \
    && install -d -o shunt -g shunt -m 0700 /data
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8082
# Any answer of the server will do: whether an account can serve is what /ready tells.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + (os.environ.get('SHUNT_SERVER_PORT') or '8082') + '/health', timeout=4)"]
# SIGTERM reaches shunt itself: there is no shell between.
STOPSIGNAL SIGTERM
ENTRYPOINT ["shunt"]
CMD ["run"]
