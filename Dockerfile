# One image for all roles; docker-compose.yml says which role runs where. NODE_IMAGE: the base with its digest
# (docs/ops/pin-images.sh); the registry tells it, so it is not written here.
ARG NODE_IMAGE=node:26-bookworm-slim
FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

FROM ${NODE_IMAGE}
# The wall around the children; prlimit comes with the base image.
RUN apt-get update && apt-get install -y --no-install-recommends bubblewrap && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json LICENSE NOTICE ./
COPY src src
COPY workers workers
RUN node src/mugai.js prepare
# A new volume takes owner and mode of the folder it covers; one that is not there would be root's.
RUN install -d -o node -g node -m 0700 /data /data/spool /data/outbox /data/requests /data/journal /data/inner /data/portal /data/policy
USER node
ENV MUGAI_DATA_DIR=/data
ENTRYPOINT ["node", "src/mugai.js", "serve"]
