from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from genpool_core.brokers import BrokerConfig
from genpool_dev.chartvalues import Broker, ChartValues, schema_text, values_schema

CHART = Path(__file__).resolve().parents[3] / "charts" / "genpool"
BROKER = {"name": "default", "host": "mq", "existingSecret": "s"}


def _values() -> dict[str, Any]:
    return dict(yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8")))


def test_values_yaml_says_what_the_model_says() -> None:
    assert ChartValues().model_dump(by_alias=True, exclude={"global_"}) == _values()


def test_the_schema_file_is_current() -> None:
    text = (CHART / "values.schema.json").read_text(encoding="utf-8")
    assert text == schema_text(), "run `make generate`"


def test_the_schema_needs_no_newer_draft() -> None:
    jsonschema.Draft7Validator.check_schema(values_schema())
    assert "$ref" not in json.dumps(values_schema())


@pytest.mark.parametrize(
    ("change", "path", "said"),
    [
        ({"operatr": {}}, "$", "operatr"),
        ({"operator": {"resorces": {}}}, "$.operator", "resorces"),
        ({"brokers": [{"name": "a", "host": "h"}]}, "$.brokers[0]", "existingSecret"),
        ({"brokers": [{**BROKER, "name": "Not A Label"}]}, "$.brokers[0].name", "Not A Label"),
        ({"brokers": [{**BROKER, "port": 0}]}, "$.brokers[0].port", "0"),
        ({"brokers": [{**BROKER, "vhosts": []}]}, "$.brokers[0].vhosts", "[]"),
        ({"gateway": {"replicas": 0}}, "$.gateway.replicas", "0"),
        ({"gateway": {"logLevel": "loud"}}, "$.gateway.logLevel", "loud"),
        ({"image": {"pullPolicy": "Sometimes"}}, "$.image.pullPolicy", "Sometimes"),
    ],
)
def test_a_wrong_value_is_refused_by_name(change: dict[str, Any], path: str, said: str) -> None:
    with pytest.raises(jsonschema.ValidationError) as caught:
        jsonschema.validate(change, values_schema(), jsonschema.Draft7Validator)
    assert caught.value.json_path == path
    assert said in caught.value.message


def test_good_values_are_accepted() -> None:
    values = {**_values(), "brokers": [BROKER], "global": {"anything": 1}}
    values["operator"]["tolerations"] = [{"key": "gpu", "operator": "Exists"}]
    jsonschema.validate(values, values_schema(), jsonschema.Draft7Validator)


def test_the_chart_knows_every_field_of_a_broker() -> None:
    chart, file = set(Broker.model_fields), set(BrokerConfig.model_fields)
    assert chart - {"existing_secret", "ca"} == file - {"credentials_path", "ca_file", "ca_certificates"}
