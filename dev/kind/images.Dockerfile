# The images of a kind node's own pods: kubeadm's names are given to these three.
FROM scratch AS base
ADD programs.tar /
ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

FROM base AS kube
COPY kube local-path-provisioner /usr/local/bin/
RUN for name in kube-apiserver kube-controller-manager kube-scheduler kube-proxy etcd; do ln -s kube /usr/local/bin/$name; done

FROM scratch AS coredns
COPY coredns /coredns
ENTRYPOINT ["/coredns"]

FROM scratch AS pause
COPY pause /pause
USER 65535:65535
ENTRYPOINT ["/pause"]
