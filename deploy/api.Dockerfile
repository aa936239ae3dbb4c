# The API: `airouter serve` as a user without rights, from libraries pinned by hash.
FROM python:3.13-slim AS build
WORKDIR /src
# hatchling, which builds the wheel, comes from the same kind of lock as everything else.
COPY requirements.lock requirements-run.lock ./
RUN python -m venv /build && /build/bin/pip install --no-cache-dir --require-hashes -r requirements-run.lock
RUN python -m venv /app && /app/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY backend backend
RUN /build/bin/pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /wheels . \
 && /app/bin/pip install --no-deps --no-index /wheels/*.whl

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/airouter --create-home airouter
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER airouter
WORKDIR /var/lib/airouter
VOLUME /var/lib/airouter
EXPOSE 8080
# Migrations take an advisory lock: several nodes may start at once.
CMD ["airouter", "serve", "--migrate"]
