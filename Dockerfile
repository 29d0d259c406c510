# One image for both processes: the API as it stands, a worker with the command `node dist/workers/main.js`.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY config config
COPY src src
COPY workers workers
RUN npm run build && npm prune --omit=dev

FROM node:24-slim
WORKDIR /app
# A container's loopback is reachable from nowhere: who may reach the API is decided by the port that is published.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
USER node
EXPOSE 3000
# The API by its /healthz; a worker, which listens on no port, by the file it writes to while it lives.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD node dist/src/start/healthy.mjs "http://127.0.0.1:$PORT/healthz"
# Attempts in flight are given 25 s: stop it with at least 30 (`docker stop -t 30`).
CMD ["node", "--enable-source-maps", "dist/src/main.js"]
