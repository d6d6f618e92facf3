# Images of the control plane and of the agent:
#
#   docker build --target server --tag switchyard-server .
#   docker build --target agent --tag switchyard-agent .
#
# Both run as an unprivileged user. --build-arg VERSION=v1.2.3, COMMIT and DATE are what
# `switchyard version` shows; the source that is sent has no git directory.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY cmd cmd
COPY fsm fsm
COPY internal internal
COPY proto proto
COPY transport transport
ARG VERSION=dev COMMIT= DATE=
ENV CGO_ENABLED=0
RUN package=github.com/switchyard-ci/switchyard/internal/command && \
  flags="-s -w -X $package.version=$VERSION -X $package.commit=$COMMIT -X $package.date=$DATE" && \
  go build -trimpath -ldflags "$flags" -pgo cmd/switchyard/release.pgo -o /out/ ./cmd/switchyard && \
  go build -trimpath -ldflags "$flags" -o /out/ ./cmd/switchyard-agent && \
  mkdir -m 700 /out/data

# The control plane: no shell, nothing but the program and certificates.
FROM gcr.io/distroless/static-debian12:nonroot AS server
COPY --from=build /out/switchyard /usr/bin/switchyard
COPY --from=build --chown=65532:65532 /out/data /var/lib/switchyard
ENV SWITCHYARD_DATA_DIR=/var/lib/switchyard
VOLUME /var/lib/switchyard
EXPOSE 7420
ENTRYPOINT ["/usr/bin/switchyard"]
CMD ["server", "start"]

# An agent. Jobs run in its container as its user: derive an image that has what they need.
# As process 1 the agent also reaps what jobs leave running. SIGTERM drains it, so stop it
# with a long timeout (docker stop --timeout 7200).
FROM debian:12-slim AS agent
RUN apt-get update && \
  apt-get install --yes --no-install-recommends ca-certificates git openssh-client && \
  rm -rf /var/lib/apt/lists/* && \
  useradd --uid 65532 --home-dir /var/lib/switchyard-agent --create-home --shell /bin/sh switchyard-agent
COPY --from=build /out/switchyard-agent /usr/bin/switchyard-agent
ENV SWITCHYARD_DATA_DIR=/var/lib/switchyard-agent HOME=/var/lib/switchyard-agent
VOLUME /var/lib/switchyard-agent
USER 65532:65532
WORKDIR /var/lib/switchyard-agent
ENTRYPOINT ["/usr/bin/switchyard-agent"]
CMD ["agent", "start"]
