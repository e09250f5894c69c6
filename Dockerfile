# An image that labels: `pip install zhpipe` without TensorFlow, Keras or gensim. docs/installing.md shows its use.
ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS build
WORKDIR /source
COPY pyproject.toml setup.cfg README.md LICENSE ./
COPY corpora corpora
COPY embeddings embeddings
COPY pipeline pipeline
COPY zhpipe zhpipe
COPY configs configs
# The environment has no pip of its own; that of the image installs into it.
RUN python -m venv --without-pip /opt/zhpipe \
    && pip --python /opt/zhpipe/bin/python install --no-cache-dir .

FROM python:${PYTHON}-slim
RUN useradd --uid 10001 --create-home zhpipe
COPY --from=build /opt/zhpipe /opt/zhpipe
ENV PATH=/opt/zhpipe/bin:$PATH PYTHONDONTWRITEBYTECODE=1
WORKDIR /data
USER 10001
ENTRYPOINT ["zhpipe"]
CMD ["--help"]
