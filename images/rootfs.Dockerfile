# The local cluster's base of our images: a Debian with Python, made by mmdebstrap (there may be no registry).
FROM scratch
ADD rootfs.tar /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8
CMD ["/bin/sh"]
