# A node image for kind: Debian's packages, kind's own files (files/), Kubernetes as one program, and the images of the
# node's pods in containerd's store. What kind's own image has besides (crictl, kindnetd, NFS, iSCSI) is not in it.
FROM scratch AS node
ADD node.tar /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
COPY files/ /
COPY kube kubeadm /usr/bin/
COPY kind-runc /usr/local/sbin/runc
COPY 10-static.conflist /etc/cni/net.d/
COPY default-cni.yaml default-storage.yaml /kind/manifests/
ARG KUBERNETES
RUN set -eux; \
    chmod 755 /kind/bin /kind/bin/* /usr/local/bin/* /usr/bin/kube /usr/bin/kubeadm; \
    chmod -R u+rwX,go+rX /kind /etc/containerd /etc/default /etc/sysctl.d /etc/systemd; \
    for name in kubelet kubectl; do ln -s kube /usr/bin/$name; done; \
    for name in containerd ctr containerd-shim-runc-v2; do ln -s /usr/bin/$name /usr/local/bin/$name; done; \
    ln -s /usr/sbin/runc /usr/local/sbin/runc.real; \
    mkdir -p /opt/cni /etc/kubernetes/manifests; ln -s /usr/lib/cni /opt/cni/bin; \
    printf %s "$KUBERNETES" > /kind/version
# Where this machine is itself a container, a container's oom score cannot be lower than its own.
RUN sed -i -e 's/restrict_oom_score_adj = false/restrict_oom_score_adj = true/' -e '/proxy_plugins/,/address = /d' \
        /etc/containerd/config.toml; \
    ctr oci spec | jq 'del(.process.rlimits) | .hooks.createContainer += [{"path": "/kind/bin/mount-product-files.sh"}]' \
        > /etc/containerd/cri-base.json
# Of Debian's services only those that a node needs.
RUN set -eux; cd /lib/systemd/system; \
    rm -f sysinit.target.wants/systemd-tmpfiles-setup.service multi-user.target.wants/* local-fs.target.wants/* \
        basic.target.wants/* sockets.target.wants/*udev* sockets.target.wants/*initctl* /etc/systemd/system/*.wants/*; \
    ln -sf /lib/systemd/systemd /sbin/init; \
    echo ReadKMsg=no >> /etc/systemd/journald.conf; \
    systemctl enable kubelet.service containerd.service undo-mount-hacks.service; \
    systemctl mask systemd-binfmt.service
RUN --mount=type=bind,source=images.tar,target=/images.tar \
    containerd --log-level error & \
    until ctr version > /dev/null 2>&1; do sleep 0.1; done; \
    ctr --namespace k8s.io images import --no-unpack /images.tar && kill $! && wait $! || exit 1; \
    rm -rf /run/containerd

FROM scratch
COPY --from=node / /
ENV container=docker \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
STOPSIGNAL SIGRTMIN+3
ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]
