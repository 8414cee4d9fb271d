# imagegate: decides whether a virtual-machine image will import into the cloud, and keeps every verdict for audit.
#
#   docker build --tag imagegate .
#   docker run --rm --read-only --cap-drop ALL --security-opt no-new-privileges --volume imagegate-data:/data \
#     imagegate keys create --role admin --name first
#   docker run --rm --read-only --cap-drop ALL --security-opt no-new-privileges --volume imagegate-data:/data \
#     --env IMAGEGATE_HOST=0.0.0.0 --env IMAGEGATE_AUTHENTICATION=required --publish 127.0.0.1:8080:8080 imagegate
#   docker run --rm --read-only --cap-drop ALL --security-opt no-new-privileges --network none \
#     --volume "$PWD:/images:ro" imagegate check /images/disk.qcow2
#
# Inside the container too the service listens on loopback unless both variables say otherwise; without authentication it
# refuses to listen elsewhere.
# Nothing but /data is written: a folder bound there must belong to user 10001. It must be a local disk, as SQLite needs.
# /checkpoints is there for a volume of its own, where IMAGEGATE_CHECKPOINT_DIRECTORY names it.
# test/container/README.md says what of this was exercised, and how.

FROM node:24-bookworm-slim AS build
WORKDIR /app
RUN apt-get update \
 && apt-get install --yes --no-install-recommends python3 make g++ \
 && rm -rf /var/lib/apt/lists/*
COPY package.json package-lock.json .npmrc ./
COPY scripts scripts
# Install scripts are left out but for better-sqlite3's, which is compiled here against the headers beside node itself and
# without what scripts/sqlite-binding.h takes out of them.
RUN npm ci --ignore-scripts \
 && CXXFLAGS="-include /app/scripts/sqlite-binding.h" npm_config_nodedir=/usr/local npm_config_build_from_source=true npm rebuild better-sqlite3 \
 && node --eval "new (require('better-sqlite3'))(':memory:')" \
 && ! grep --quiet RemoveEnvironmentCleanupHook node_modules/better-sqlite3/build/Release/better_sqlite3.node
COPY tsconfig.json ./
COPY schemas schemas
COPY server server
COPY policies policies
# What running does not need goes: SQLite's sources and object files, and packages' tests, types and source maps.
RUN npm run build \
 && npm prune --omit=dev --ignore-scripts \
 && mv node_modules/better-sqlite3/build/Release/better_sqlite3.node . \
 && rm -rf node_modules/better-sqlite3/build node_modules/better-sqlite3/deps node_modules/better-sqlite3/src \
 && mkdir -p node_modules/better-sqlite3/build/Release \
 && mv better_sqlite3.node node_modules/better-sqlite3/build/Release/ \
 && find node_modules -regextype posix-extended -type d \
      -regex '(.*/)?node_modules/(@[^/]+/)?[^@/][^/]*/(test|docs|benchmarks?)' -prune -exec rm -rf {} + \
 && find node_modules -type f -regextype posix-extended -regex '.*\.(map|[cm]?ts)' -delete \
 && node --eval "new (require('better-sqlite3'))(':memory:')"

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="imagegate" \
      org.opencontainers.image.licenses="Apache-2.0"
# The programs that the collector reads images with; `imagegate doctor` lists what each is for.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends \
      bubblewrap btrfs-progs bzip2 dosfstools e2fsprogs fdisk fuse3 grub-common libhivex-bin lzop ntfs-3g \
      qemu-system-common qemu-utils util-linux xfsprogs xz-utils zstd \
 && rm -rf /var/lib/apt/lists/* /var/cache/debconf/*-old /var/log/*
# A number of its own, so that it does not hang on a user of the base image.
RUN install --directory --mode=0750 --owner=10001 --group=10001 /data /checkpoints
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY package.json LICENSE ./
COPY migrations migrations
COPY schemas schemas
COPY policies policies
COPY examples examples
COPY --from=build /app/dist dist
ENV NODE_ENV=production \
    IMAGEGATE_DATABASE_URL=file:/data/imagegate.db \
    SQLITE_TMPDIR=/data \
    TMPDIR=/data
USER 10001:10001
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
# Asks the address that the service was told to listen on; 0.0.0.0 and :: reach it too. With IMAGEGATE_TLS_CLIENT_CA it
# needs IMAGEGATE_HEALTH_PORT.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "--eval", "const { IMAGEGATE_HOST: h, IMAGEGATE_PORT: p, IMAGEGATE_HEALTH_PORT: own, IMAGEGATE_TLS_CERTIFICATE: c } = process.env; process.env.NODE_TLS_REJECT_UNAUTHORIZED = 0; const host = h || '127.0.0.1'; fetch(`http${c && !own ? 's' : ''}://${host.includes(':') ? `[${host}]` : host}:${own || p || 8080}/health/ready`, { signal: AbortSignal.timeout(4000) }).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["serve"]
