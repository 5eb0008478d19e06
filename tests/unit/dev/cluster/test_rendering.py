"""Files that are rendered for the cluster's programs."""

from __future__ import annotations

import base64
import json
import tarfile
import tomllib
from io import BytesIO
from ipaddress import IPv4Network
from pathlib import Path

import pytest
import yaml

from genpool_dev.cluster import services
from genpool_dev.cluster.addresses import divide
from genpool_dev.cluster.artifacts import layout, packages, pipsettings, rootfs
from genpool_dev.cluster.node import config, daemons
from genpool_dev.cluster.node.places import Places
from genpool_dev.cluster.node.runtime import superseded
from genpool_dev.cluster.providers import kind_node

PLAN = divide(IPv4Network("10.213.0.0/16"))
PLACES = Places(Path("/var/lib/genpool-dev"), Path("/cache/containerd"))


def test_containerd_keeps_everything_in_our_folders() -> None:
    text = config.containerd(PLACES, "localhost/genpool/pause:1", "overlayfs")
    found = tomllib.loads(text)
    assert found["root"] == "/cache/containerd"
    cri = found["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["sandbox_image"] == "localhost/genpool/pause:1"
    assert cri["cni"]["conf_dir"] == "/var/lib/genpool-dev/config/cni"


def test_kubelet_stays_in_our_control_group_and_asks_who_calls() -> None:
    found = yaml.safe_load(config.kubelet(PLACES, PLAN, "genpool"))
    assert found["cgroupRoot"] == "/genpool"
    assert found["authentication"]["anonymous"] == {"enabled": False}
    assert found["authorization"] == {"mode": "Webhook"}
    assert found["clusterDNS"] == ["10.213.64.10"]


def test_pods_get_addresses_of_the_pods_network() -> None:
    found = json.loads(config.cni(PLACES, PLAN))
    assert found["plugins"][0]["ipam"]["ranges"] == [[{"subnet": "10.213.0.0/24"}]]


def test_the_kubeconfig_has_one_context_of_our_name() -> None:
    found = yaml.safe_load(config.kubeconfig(PLAN, b"PEM", "admin", "token"))
    assert [each["name"] for each in found["contexts"]] == ["genpool-local"]
    cluster = found["clusters"][0]["cluster"]
    assert cluster["server"] == "https://10.213.255.254:6443"
    assert base64.b64decode(cluster["certificate-authority-data"]) == b"PEM"


def test_each_user_has_its_own_token_and_only_one_is_master() -> None:
    lines = config.token_file({user: f"t-{user}" for user in config.USERS}).splitlines()
    assert len(lines) == len(set(lines)) == len(config.USERS)
    assert [line for line in lines if "system:masters" in line] == [
        't-admin,genpool-admin,genpool-admin,"system:masters"'
    ]


def test_every_program_listens_in_the_node_and_can_be_asked_how_it_is() -> None:
    binaries = daemons.Binaries(Path("/b/kube"), Path("/b/coredns"))
    table = [
        daemons.apiserver(PLACES, PLAN, binaries),
        *daemons.followers(PLACES, PLAN, binaries),
    ]
    assert len({daemon.name for daemon in table}) == len(table)
    assert all("10.213.255.254" in daemon.health for daemon in table)


def shape(**changes: object) -> services.Shape:
    values: dict[str, object] = {
        "rabbitmq_image": "rabbitmq:x",
        "s3_image": "s3:y",
        "volumes": {name: services.host_path(Path("/d") / name) for name in ("rabbitmq", "s3")},
    }
    return services.Shape(**{**values, **changes})  # type: ignore[arg-type]


def objects(text: str) -> dict[tuple[str, str], dict[str, object]]:
    found = [each for each in yaml.safe_load_all(text) if each]
    return {(each["kind"], each["metadata"]["name"]): each for each in found}


def test_both_servers_keep_their_data_on_the_node() -> None:
    found = objects(services.manifests(shape()))
    for name in ("rabbitmq", "s3"):
        pod = found["StatefulSet", name]["spec"]["template"]["spec"]  # type: ignore[index]
        data = next(each for each in pod["volumes"] if each["name"] == "data")
        assert data["hostPath"] == {"path": f"/d/{name}", "type": "DirectoryOrCreate"}
        assert found["Service", name]["spec"]["type"] == "ClusterIP"  # type: ignore[index]


def test_no_group_may_write_erlangs_cookie() -> None:
    """With fsGroup a volume's files become the group's at each mount, and a restarted RabbitMQ refuses to start."""
    found = objects(services.manifests(shape()))
    pod = found["StatefulSet", "rabbitmq"]["spec"]["template"]["spec"]  # type: ignore[index]
    assert "fsGroup" not in pod["securityContext"]


def test_no_password_stands_in_a_manifest() -> None:
    found = objects(services.manifests(shape()))
    variables = [
        variable
        for name in ("rabbitmq", "s3")
        for variable in found["StatefulSet", name]["spec"]["template"]["spec"]["containers"][0]["env"]  # type: ignore[index]
    ]
    secret = {variable["name"] for variable in variables if "secretKeyRef" in variable.get("valueFrom", {})}
    assert secret == {"RABBITMQ_DEFAULT_USER", "RABBITMQ_DEFAULT_PASS", "ROOT_ACCESS_KEY", "ROOT_SECRET_KEY"}
    plain = {variable["name"] for variable in variables} - secret
    assert not [name for name in plain if any(word in name for word in ("PASS", "USER", "KEY"))]


def test_kind_reaches_the_servers_by_ports_that_it_maps() -> None:
    found = objects(services.manifests(shape(node_ports=True)))
    ports = {
        port["nodePort"]
        for name in ("rabbitmq", "s3")
        for port in found["Service", name]["spec"]["ports"]  # type: ignore[index]
    }
    mapped = yaml.safe_load(kind_node.cluster_config())["nodes"][0]["extraPortMappings"]
    assert ports == {each["containerPort"] for each in mapped}
    assert {each["listenAddress"] for each in mapped} == {"127.0.0.1"}


def test_a_cluster_of_somebody_else_gets_claims() -> None:
    volumes = {name: f"persistentVolumeClaim: {{claimName: {name}-data}}" for name in ("rabbitmq", "s3")}
    found = objects(services.manifests(shape(volumes=volumes, claims=tuple(volumes))))
    assert {("PersistentVolumeClaim", "rabbitmq-data"), ("PersistentVolumeClaim", "s3-data")} <= set(found)


def test_all_documents_are_yaml() -> None:
    """A kubectl before 1.33 takes the first document's form for all of them."""
    volumes = {name: f"persistentVolumeClaim: {{claimName: {name}-data}}" for name in ("rabbitmq", "s3")}
    text = services.manifests(shape(volumes=volumes, claims=tuple(volumes)))
    assert not [part for part in text.split("\n---\n") if part.lstrip().startswith("{")]


def test_a_place_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="missing"):
        services.render("image: ${missing}", {})


@pytest.mark.parametrize(
    ("networks", "gateway"),
    [
        ([{"IPAM": {"Config": [{"Gateway": "fc00::1"}, {"Gateway": "172.18.0.1"}]}}], "172.18.0.1"),
        ([{"IPAM": {"Config": [{"Subnet": "172.18.0.0/16"}]}}], None),
        ([{"IPAM": {"Config": None}}], None),
        ([], None),
    ],
)
def test_pods_of_kind_reach_this_machine_by_the_gateway(
    networks: list[dict[str, object]], gateway: str | None
) -> None:
    assert kind_node.gateway_of(networks) == gateway


DEB822 = "Types: deb\nURIs: http://mirror.example.org/debian\nSuites: bookworm\nComponents: main\n"


@pytest.mark.parametrize(
    ("sources", "distribution", "mirror"),
    [
        ([DEB822], "debian", "http://mirror.example.org/debian"),
        (["deb [arch=amd64] https://a.example.org/debian/ bookworm main"], "debian", "https://a.example.org/debian"),
        (["deb https://a.example.org/node_20.x nodistro main", DEB822], "debian", "http://mirror.example.org/debian"),
        (["# deb http://off.example.org/debian x main"], "debian", None),
        (["deb http://security.example.org/debian-security x main"], "debian", None),
        ([DEB822], "ubuntu", None),
        ([], "debian", None),
    ],
)  # fmt: skip
def test_the_mirror_is_the_machines_own(sources: list[str], distribution: str, mirror: str | None) -> None:
    assert rootfs.mirror_of(sources, distribution) == mirror


def test_a_program_may_be_in_any_folder_of_a_place(tmp_path: Path) -> None:
    (tmp_path / "15/bin").mkdir(parents=True)
    (tmp_path / "15/bin/initdb").touch()
    assert packages.is_present(f"{tmp_path}/*/bin/initdb")
    assert not packages.is_present(f"{tmp_path}/*/bin/postgres")
    assert packages.is_present(str(tmp_path))


def test_only_missing_packages_are_installed_each_once() -> None:
    there = {"ip", "iptables", "/usr/lib/cni/ptp", "nsenter"}
    wanted = packages.missing(packages.NEEDS, lambda file: file in there)
    assert "iproute2" not in wanted
    assert wanted.count("containerd") == 1
    assert packages.missing(packages.NEEDS, lambda _file: True) == ()


def test_no_service_of_an_installed_package_starts_with_the_machine() -> None:
    installed = ("docker.io", "buildah", "containerd")
    assert packages.units(installed) == ("containerd.service", "docker.service", "docker.socket")


def test_pips_settings_go_into_a_build_without_paths_of_this_machine() -> None:
    listed = (
        "global.index-url='https://a.example.org/simple'\n"
        "global.cert='/etc/ssl/ca.crt'\n"
        ":env:.index-url='https://b.example.org/simple'\n"
        ":env:.find-links='/opt/wheels'\n"
    )
    text = pipsettings.configuration(listed, has_certificates=True)
    assert text.splitlines() == [
        "[global]",
        "cert = /run/certificates.pem",
        "index-url = https://b.example.org/simple",
    ]


def _layout(root: Path, images: dict[str, list[bytes]]) -> None:
    manifests = []
    blobs = root / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    for name, layers in images.items():
        for content in (*layers, name.encode()):
            (blobs / content.hex()).write_bytes(content)
        manifest = json.dumps(
            {
                "config": {"digest": f"sha256:{name.encode().hex()}"},
                "layers": [{"digest": f"sha256:{layer.hex()}"} for layer in layers],
            }
        )
        (blobs / f"m{name[-1]}").write_text(manifest)
        manifests.append({"digest": f"sha256:m{name[-1]}", "annotations": {layout.REFERENCE: name}})
    (root / "index.json").write_text(json.dumps({"manifests": manifests}))


def test_images_are_streamed_with_shared_layers_once(tmp_path: Path) -> None:
    _layout(tmp_path, {"r/a:1": [b"base", b"one"], "r/b:2": [b"base", b"two"], "r/c:3": [b"z"]})
    out = BytesIO()
    layout.stream(tmp_path, ["r/a:1", "r/b:2"], out)
    out.seek(0)
    with tarfile.open(fileobj=out) as archive:
        names = archive.getnames()
        index_file = archive.extractfile("index.json")
        assert index_file is not None
        index = json.load(index_file)
    assert len(names) == len(set(names))
    assert f"blobs/sha256/{b'base'.hex()}" in names
    assert f"blobs/sha256/{b'z'.hex()}" not in names
    assert [each["annotations"][layout.CONTAINERD_NAME] for each in index["manifests"]] == [
        "r/a:1",
        "r/b:2",
    ]


def test_an_image_is_handed_to_docker_under_another_name(tmp_path: Path) -> None:
    _layout(tmp_path, {"r/a:1": [b"base", b"one"]})
    out = BytesIO()
    layout.export(tmp_path, "r/a:1", "python:3.13-slim", out)
    out.seek(0)
    with tarfile.open(fileobj=out) as archive:
        listed = archive.extractfile("manifest.json")
        assert listed is not None
        (image,) = json.load(listed)
        assert set(archive.getnames()) == {"manifest.json", image["Config"], *image["Layers"]}
    assert image["RepoTags"] == ["python:3.13-slim"]
    assert image["Layers"] == [f"blobs/sha256/{layer.hex()}" for layer in (b"base", b"one")]


def test_forgotten_images_take_only_their_own_layers_along(tmp_path: Path) -> None:
    _layout(tmp_path, {"r/a:1": [b"base", b"one"], "r/b:2": [b"base", b"two"]})
    layout.forget(tmp_path, ["r/a:1"])
    left = {path.name for path in (tmp_path / "blobs" / "sha256").iterdir()}
    assert layout.names(tmp_path) == {"r/b:2"}
    assert b"base".hex() in left
    assert b"one".hex() not in left


def test_the_newest_images_of_each_repository_are_kept() -> None:
    names = ["r/a:1", "r/b:1", "r/a:2", "r/a:3"]
    index = [{"annotations": {layout.REFERENCE: name}} for name in names]
    assert layout.superseded(index, 2) == ("r/a:1",)


def test_containerd_lets_go_of_our_old_images_only() -> None:
    present = {"localhost/genpool/worker:old", "localhost/genpool/worker:new", "docker.io/x:1"}
    assert superseded(present, {"localhost/genpool/worker:new"}) == ["localhost/genpool/worker:old"]


def test_a_mirror_that_is_named_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(rootfs.MIRROR_VARIABLE, "http://named.example.org/debian")
    assert rootfs.machine_mirror() == "http://named.example.org/debian"
