# Process 1 of every pod of the local cluster.
FROM scratch
COPY pause /pause
USER 65535:65535
ENTRYPOINT ["/pause"]
