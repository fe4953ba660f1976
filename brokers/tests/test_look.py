"""Whose money is on the page: no real money looks like none, real money looks real."""

import pytest
from django.template import Context, Template
from django.test import Client
from django.urls import reverse

from accounts.models import User
from brokers.selectors import money_of
from brokers.tests.factories import ConnectionFactory
from tradehaven.domain.enums import Environment


@pytest.mark.parametrize(
    ("places", "shown"),
    [
        ((), None),
        (("paper", "paper"), Environment.PAPER),
        (("paper", "demo"), Environment.DEMO),
        (("paper", "live", "demo"), Environment.LIVE),
    ],
)
def test_the_most_real_money_decides(
    alice: User, bob: User, places: tuple[str, ...], shown: Environment | None
):
    ConnectionFactory.create(owner=bob, environment=Environment.LIVE)
    for place in places:
        ConnectionFactory.create(owner=alice, environment=place)
    assert money_of(alice) is shown


def test_every_page_says_it_in_colour_and_word(alice: User, alice_client: Client):
    ConnectionFactory.create(owner=alice, environment=Environment.PAPER)
    page = alice_client.get(reverse("accounts:profile")).content.decode()
    assert 'data-money="paper"' in page
    assert "No real money is connected" in page


def test_a_page_without_request_or_person_has_the_usual_look():
    text = Template("{% load look %}{% look as look %}{{ look.theme }} {{ look.money }}").render(Context())
    assert text == "system None"
