"""A browser's session, and what the page's files and paths answer, by plain requests."""

from __future__ import annotations

import re
from http.cookies import SimpleCookie
from typing import Any

import pytest
import requests

from genpool_core import timing
from integration.broker import until
from integration.gateway.page.pictures import lake
from integration.gateway.page.world import PHOTO, World


def _log_in(world: World, key: str | None = None, **headers: str) -> requests.Response:
    return requests.post(
        f"{world.api.url}/v1/session", json={"key": key or world.api.key}, headers=headers, timeout=10
    )


def _browser(world: World, key: str | None = None) -> requests.Session:
    """A session that sends the cookie, and no key."""
    made = requests.Session()
    answer = _log_in(world, key)
    made.headers["Cookie"] = answer.headers["Set-Cookie"].partition(";")[0]
    made.headers["X-CSRF-Token"] = answer.json()["csrf"]
    return made


def _new_key(world: World, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - of the request
    return dict(world.api.call("POST", "/v1/keys", {"name": "ann", **fields}).json())


def test_a_key_is_shown_once_and_a_cookie_stands_for_it(world: World) -> None:
    answer = _log_in(world)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["id"], said["role"], said["pools"]) == ("installation", "admin", None)
    (morsel,) = SimpleCookie(answer.headers["Set-Cookie"]).values()
    assert morsel.key == "genpool_session"
    assert (morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, "strict", "/")
    assert morsel["max-age"] == str(timing.SESSION_SECONDS)
    assert not morsel["secure"], "plain HTTP on a loopback address"
    assert len(morsel.value) >= 43
    browser = _browser(world)
    assert browser.get(f"{world.api.url}/v1/session", timeout=10).json() == {
        **said,
        "csrf": browser.headers["X-CSRF-Token"],
    }
    assert world.api.key not in world.api.process.log


def test_the_cookie_is_secure_under_any_other_name(world: World) -> None:
    answer = _log_in(world, Host="genpool.example.org")
    (morsel,) = SimpleCookie(answer.headers["Set-Cookie"]).values()
    assert morsel["secure"]
    forged = _log_in(world, **{"X-Forwarded-Proto": "https"})
    (morsel,) = SimpleCookie(forged.headers["Set-Cookie"]).values()
    assert not morsel["secure"], "the header counts from a trusted proxy alone"


@pytest.mark.parametrize("key", ["something", "gpk_" + "a" * 43])
def test_no_key_is_no_session(world: World, key: str) -> None:
    answer = _log_in(world, key)
    assert answer.status_code == 401
    assert answer.json()["reason"] == "Unauthenticated"
    assert "Set-Cookie" not in answer.headers


def test_a_change_by_cookie_needs_the_token_of_the_page(world: World) -> None:
    browser = _browser(world)
    body = {"pool": "text", "workflow": "text-to-image", "parameters": {"prompt": "a lake"}}
    url = f"{world.api.url}/v1/tasks"
    assert browser.post(url, json=body, timeout=10).status_code == 202
    for forged in (None, "", "0" * 64):
        browser.headers["X-CSRF-Token"] = forged  # type: ignore[assignment] # None leaves it out
        answer = browser.post(url, json=body, timeout=10)
        assert answer.status_code == 403, answer.text
        assert "X-CSRF-Token" in answer.json()["detail"]
        assert browser.get(url, timeout=10).status_code == 200, "reading needs none"
    with_key = {"Authorization": f"Bearer {world.api.key}"}
    assert browser.post(url, json=body, headers=with_key, timeout=10).status_code == 202, "nor does a key"


def test_a_session_that_was_ended_is_over(world: World) -> None:
    browser = _browser(world)
    answer = browser.delete(f"{world.api.url}/v1/session", timeout=10)
    assert answer.status_code == 204
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert browser.get(f"{world.api.url}/v1/session", timeout=10).status_code == 401


def test_a_session_ends_with_its_key(world: World) -> None:
    key = _new_key(world)
    browser = _browser(world, key["key"])
    assert browser.get(f"{world.api.url}/v1/session", timeout=10).json()["role"] == "user"
    world.api.call("DELETE", f"/v1/keys/{key['id']}")
    assert browser.get(f"{world.api.url}/v1/tasks", timeout=10).status_code == 401


def test_the_page_lets_in_pictures_of_the_callers_buckets_alone(world: World) -> None:
    nobody = requests.get(f"{world.api.url}/", timeout=10)
    policy = nobody.headers["Content-Security-Policy"]
    assert "'unsafe" not in policy
    assert {"default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'"} <= set(policy.split("; "))
    assert world.bucket.endpoint not in policy, "nobody learns where the buckets are"
    known = _browser(world).get(f"{world.api.url}/", timeout=10)
    assert f"img-src 'self' data: blob: {world.bucket.endpoint}" in known.headers["Content-Security-Policy"]
    assert 'data-caller="installation"' in known.text
    assert known.headers["Cache-Control"] == "no-store"
    other = _new_key(world, pools=["art/other"])
    assert (
        world.bucket.endpoint
        not in _browser(world, other["key"])
        .get(f"{world.api.url}/", timeout=10)
        .headers["Content-Security-Policy"]
    )


def test_the_files_of_the_page_are_kept_by_their_version(world: World) -> None:
    page = requests.get(f"{world.api.url}/", timeout=10).text
    paths = re.findall(r'(?:href|src)="(/page/[^"]+)"', page)
    assert len(paths) > 30
    for path in paths:
        answer = requests.get(f"{world.api.url}{path}", timeout=10)
        assert answer.status_code == 200, path
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    older = requests.get(f"{world.api.url}/page/0000/js/main.js", timeout=10)
    assert (older.status_code, older.headers["Cache-Control"]) == (200, "no-store")
    for path in (
        "/page/0000/index.html",
        "/page/0000/../api/app.py",
        "/page/0000/%2e%2e/api/app.py",
        "/page/x",
    ):
        assert requests.get(f"{world.api.url}{path}", timeout=10).status_code == 404, path


def test_nothing_of_the_page_is_from_elsewhere(world: World) -> None:
    page = requests.get(f"{world.api.url}/", timeout=10).text
    assert "<style" not in page
    assert re.findall(r"<script(?! [^>]*src=)", page) == []
    assert "://" not in page


def test_a_photo_goes_through_the_gateway_and_comes_back(world: World) -> None:
    key = _new_key(world)
    browser, photo = _browser(world, key["key"]), lake(1)
    wanted = {"pool": "text", "name": "a.png", "content_type": "image/png", "size_bytes": len(photo)}
    place = browser.post(f"{world.api.url}/v1/uploads", json=wanted, timeout=10).json()["id"]
    url = f"{world.api.url}/v1/uploads/{place.removeprefix('upload:')}?pool=art/text"
    assert browser.put(url, photo, headers={"Content-Type": "text/html"}, timeout=10).status_code == 415
    answer = browser.put(url, photo, headers={"Content-Type": "image/png"}, timeout=10)
    assert answer.status_code == 204, answer.text
    body = {"pool": "text", "workflow": PHOTO, "parameters": {"image_url": place}}
    task = browser.post(f"{world.api.url}/v1/tasks", json=body, timeout=10).json()
    given = f"{world.api.url}/v1/tasks/{task['id']}/inputs/image_url"
    assert browser.get(given, timeout=10).content == photo
    assert world.api.call("GET", f"/v1/tasks/{task['id']}/inputs/image_url").content == photo, (
        "operators see it too"
    )
    assert browser.get(given.replace("image_url", "size"), timeout=10).status_code == 404
    assert _browser(world, _new_key(world)["key"]).get(given, timeout=10).status_code == 404


def test_a_result_is_saved_under_its_name(world: World) -> None:
    task = world.done(3, "to be saved")
    answer = world.api.call("GET", f"/v1/tasks/{task['id']}/outputs/picture-1.png")
    assert answer.content == lake(3)
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''picture-1.png"
    assert world.api.call("GET", f"/v1/tasks/{task['id']}/outputs/other.png").status_code == 404


def test_sessions_survive_a_restart_and_a_trusted_proxy_names_who_asks(world: World) -> None:
    browser = _browser(world)
    world.api.process.environment["GENPOOL_TRUSTED_PROXIES"] = "127.0.0.0/8"
    world.api.process.stop()
    world.api.process.spawn()
    world.api.process.wait_started()
    world.api.process.until_ready()
    until(
        lambda: browser.get(f"{world.api.url}/v1/session", timeout=10).status_code == 200,
        "the session goes on",
    )
    ann = {"X-Forwarded-User": "ann@example.org"}
    known = requests.get(f"{world.api.url}/v1/session", headers=ann, timeout=10).json()
    assert (known["name"], known["role"], known["csrf"]) == ("ann@example.org", "user", None)
    page = requests.get(f"{world.api.url}/", headers=ann, timeout=10)
    assert f'data-caller="{known["id"]}"' in page.text
    body = {"pool": "text", "workflow": "text-to-image", "parameters": {"prompt": "a lake"}}
    for site, status in ((None, 202), ("same-origin", 202), ("cross-site", 403), ("same-site", 403)):
        sent = ann if site is None else {**ann, "Sec-Fetch-Site": site}
        answer = requests.post(f"{world.api.url}/v1/tasks", json=body, headers=sent, timeout=10)
        assert answer.status_code == status, (site, answer.text)
    (morsel,) = SimpleCookie(_log_in(world, **{"X-Forwarded-Proto": "https"}).headers["Set-Cookie"]).values()
    assert morsel["secure"], "the proxy says that it was asked by HTTPS"
