"""What is derived of the operator's keys: the same from the same, different for each purpose and owner."""

from __future__ import annotations

import base64
import re

import pytest

from genpool_core.errors import SettingsError
from genpool_core.names import key_of_user, worker_user
from genpool_core.operatorkeys import (
    Installation,
    OperatorKey,
    installation_tag,
    key_line,
    parse_keys,
    pool_signing_key,
)

KEY, OTHER = OperatorKey(bytes(range(32))), OperatorKey(b"o" * 32)


def derived(key: OperatorKey) -> list[str]:
    return [
        key.id,
        key.worker_password("uid"),
        key.worker_password("another"),
        key.gateway_password("uid"),
        key.gateway_password("another"),
        key.signing_key.hex(),
        key.admin_api_key.removeprefix("gpk_"),
        key.callback_secret("uid"),
        key.callback_secret("another"),
    ]


def test_the_same_key_gives_the_same() -> None:
    """Another release must find the users that this one made: these values never change."""
    assert derived(KEY) == derived(OperatorKey(bytes(range(32))))
    assert KEY.id == "fc81b109"
    assert KEY.worker_password("uid") == "GTzaSJjRglZRzlIYhNG_yAMdCpDaOzZ4XIgVC45BW4A"
    assert KEY.callback_secret("uid") == "whsec_zMukcr34SNq3s2Ux2vBiBtV+SYpMKqd4mWAcDsEcDZQ="


def test_the_first_api_key_has_256_bits_and_a_prefix() -> None:
    assert re.fullmatch(r"gpk_[A-Za-z0-9_-]{43}", KEY.admin_api_key)


def test_each_purpose_and_owner_has_its_own() -> None:
    both = derived(KEY) + derived(OTHER)
    assert len(set(both)) == len(both)


def test_an_id_is_part_of_a_users_name() -> None:
    assert key_of_user(worker_user("uid", KEY.id)) == KEY.id


def test_the_gateway_derives_a_pools_secret_without_the_operators_key() -> None:
    secret = base64.b64encode(pool_signing_key(KEY.signing_key, "uid")).decode()
    assert f"whsec_{secret}" == KEY.callback_secret("uid")


def test_a_key_is_in_no_repr() -> None:
    installation = Installation((OperatorKey(b"topsecret" * 4),), "tag")
    assert "topsecret" not in repr(installation)


def test_the_first_line_is_in_use_and_all_are_honoured() -> None:
    text = f"\n {key_line(OTHER.secret)} \n\n{key_line(KEY.secret)}\n"
    found = Installation(tuple(OperatorKey(key) for key in parse_keys(text, "Secret x")), "tag")
    assert found == Installation((OTHER, KEY), "tag")
    assert found.key == OTHER
    assert found.key_ids == {OTHER.id, KEY.id}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Secret x holds no key. It needs one key a line"),
        ("\n \n", "Secret x holds no key"),
        ("no base64!", "line 1 of Secret x is no base64"),
        ("日本", "line 1 of Secret x is no base64"),
        (f"{key_line(KEY.secret)}\nc2hvcnQ=", "line 2 of Secret x holds 5 bytes"),
    ],
)
def test_what_is_no_key_is_told_and_not_shown(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_keys(text, "Secret x")
    assert caught.value.message.startswith(said)
    assert "c2hvcnQ" not in caught.value.message


def test_a_tag_is_of_one_release_of_one_cluster() -> None:
    tags = {installation_tag(uid, name) for uid in ("a", "b") for name in ("genpool-operator-key", "x")}
    assert len(tags) == 4
    assert installation_tag("a", "x") in tags
