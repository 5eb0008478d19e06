# The local cluster's S3 server: one static program.
FROM scratch
COPY versitygw /usr/local/bin/versitygw
ENV PATH=/usr/local/bin
ENTRYPOINT ["/usr/local/bin/versitygw"]
