"""The node image that is made where none can be pulled."""

from __future__ import annotations

import yaml

from genpool_dev.kindtest import nodeimage


def test_every_image_of_kubeadm_has_its_program() -> None:
    listed = [
        "registry.k8s.io/kube-apiserver:v1.35.4",
        "registry.k8s.io/kube-proxy:v1.35.4",
        "registry.k8s.io/coredns/coredns:v1.13.1",
        "registry.k8s.io/pause:3.10.1",
        "registry.k8s.io/etcd:3.6.6-0",
    ]
    found = nodeimage.images_of(listed)
    assert found["coredns"] == ["registry.k8s.io/coredns/coredns:v1.13.1"]
    assert found["pause"] == ["registry.k8s.io/pause:3.10.1", nodeimage.SANDBOX]
    assert set(found["kube"]) == {nodeimage.STORAGE, listed[0], listed[1], listed[4]}


def test_the_storage_manifest_names_the_image_that_is_made() -> None:
    text = (nodeimage.FILES / "default-storage.yaml").read_text()
    (deployment,) = (each for each in yaml.safe_load_all(text) if each["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == nodeimage.STORAGE
    assert nodeimage.STORAGE in container["command"]
