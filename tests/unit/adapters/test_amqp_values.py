from __future__ import annotations

import pytest
from pika import exceptions

from genpool_adapters.amqp import AmqpConnection, AmqpParameters
from genpool_adapters.amqp.failures import channel_error, explain_connection
from genpool_adapters.amqp.values import parameters

SETTINGS = AmqpParameters(
    "mq", 5672, "/v", "genpool.worker.1", "t0p-secret", connection_name="w", heartbeat_seconds=7
)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (exceptions.ProbableAuthenticationError("x"), "refused user genpool.worker.1"),
        (exceptions.ProbableAccessDeniedError("x"), "check that the vhost exists"),
        (
            exceptions.ProbableAccessDeniedError("(530) 'NOT_ALLOWED - vhost /v not found'"),
            "there is no such vhost",
        ),
        (exceptions.IncompatibleProtocolError("x"), "expects TLS"),
        (exceptions.AMQPHeartbeatTimeout("x"), "no heartbeat for 7 seconds"),
        (exceptions.ConnectionBlockedTimeout("x"), "alarm"),
        (exceptions.ConnectionClosedByBroker(320, "CONNECTION_FORCED"), "320 CONNECTION_FORCED"),
        (exceptions.AMQPConnectionError(OSError(111, "Connection refused")), "Connection refused"),
        (exceptions.StreamLostError("Transport indicated EOF"), "Transport indicated EOF"),
        (None, "closed"),
    ],
)
def test_why_there_is_no_connection(error: BaseException | None, said: str) -> None:
    sentence = explain_connection(error, SETTINGS)
    assert "mq:5672 vhost /v" in sentence
    assert said in sentence


def test_the_password_is_in_no_text() -> None:
    texts = [repr(SETTINGS), str(SETTINGS), repr(AmqpConnection(SETTINGS)), repr(parameters(SETTINGS))]
    assert not [text for text in texts if "t0p-secret" in text]


def test_every_connection_has_limits() -> None:
    made = parameters(SETTINGS)
    assert made.heartbeat == 7
    assert made.blocked_connection_timeout
    assert made.connection_attempts == 1
    assert made.client_properties["connection_name"] == "w"
    assert made.ssl_options is None


def test_tls_checks_the_name() -> None:
    made = parameters(AmqpParameters("mq.example.com", 5671, "/", "u", "p", tls=True))
    assert made.ssl_options.server_hostname == "mq.example.com"
    assert made.ssl_options.context.check_hostname


def test_a_lost_channel_is_not_a_refusal() -> None:
    refused = channel_error(exceptions.ChannelClosedByBroker(403, "ACCESS_REFUSED"), reason="PublishRefused")
    lost = channel_error(exceptions.StreamLostError("gone"), reason="PublishRefused")
    assert (refused.reason, lost.reason) == ("PublishRefused", "BrokerUnreachable")
