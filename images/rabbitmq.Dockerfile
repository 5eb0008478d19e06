# The local cluster's RabbitMQ, from Debian's package. It answers to the same command, paths and settings as
# the public image rabbitmq:4.3-management, so that one manifest serves both.
FROM scratch
ADD rootfs.tar /
# The package's own /usr/sbin/rabbitmq-server insists on its user; the one below runs as any.
ENV PATH=/usr/lib/rabbitmq/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 \
    HOME=/var/lib/rabbitmq \
    RABBITMQ_DATA_DIR=/var/lib/rabbitmq
COPY enabled_plugins /etc/rabbitmq/enabled_plugins
EXPOSE 5672 15672
CMD ["rabbitmq-server"]
