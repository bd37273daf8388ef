# docker build -t seqsae .  What pip finds for torch is installed; --build-arg TORCH_INDEX=URL asks another index first: the one of CPU
# wheels that PyTorch's site names saves gigabytes, one of its CUDA ones needs `docker run --gpus all`.
FROM python:3.11-slim

ARG TORCH_INDEX
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} -r requirements.txt

RUN useradd --create-home seqsae && mkdir studies && chown seqsae studies
USER seqsae
COPY --chown=seqsae .streamlit .streamlit
COPY --chown=seqsae app.py ./
COPY --chown=seqsae pages pages
COPY --chown=seqsae assets assets
COPY --chown=seqsae docs/METHOD.md docs/
COPY --chown=seqsae seqsae_core seqsae_core

ENV SEQSAE_NO_BROWSER=1 PYTHONUNBUFFERED=1
VOLUME /app/studies
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://localhost:8501/_stcore/health', timeout=4)"]
ENTRYPOINT ["python", "-m", "seqsae_core"]
CMD ["serve", "studies/movietweetings", "--build", "--host", "0.0.0.0"]
