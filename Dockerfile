# Konto in a container: one static binary and nothing else.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /konto ./cmd/konto && mkdir /data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /konto /konto
COPY --from=build --chown=nonroot:nonroot /data /data
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["/konto"]
CMD ["serve", "--data", "/data", "--addr", "0.0.0.0:8080"]
