"""Pages that anybody may read: all of them render, name real addresses, and tell nothing of anybody."""

import re

import pytest
from django.test import Client
from django.urls import Resolver404, resolve, reverse

from tradehaven.public import GUIDE

pytestmark = pytest.mark.django_db
PAGES = [reverse("welcome"), reverse("guide"), *(reverse("chapter", args=[one.slug]) for one in GUIDE)]


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_read_without_a_log_in_and_leads_somewhere(client: Client, page: str) -> None:
    answer = client.get(page)
    assert answer.status_code == 200
    text = answer.content.decode()
    for link in re.findall(r'href="(/[^"#?]*)"', text):
        if not link.startswith("/static/"):
            try:
                resolve(link)
            except Resolver404:
                pytest.fail(f"{page} leads to {link}, which is nothing")
    assert text.count("<h1") == 1


def test_each_chapter_knows_its_neighbours(client: Client) -> None:
    first, last = (client.get(reverse("chapter", args=[GUIDE[place].slug])) for place in (0, -1))
    assert "←" not in first.content.decode().split("guide-turn")[1].split("</p>")[0]
    assert "→" not in last.content.decode().split("guide-turn")[1].split("</p>")[0]


def test_a_chapter_that_is_not_there_is_not_found(client: Client) -> None:
    assert client.get("/guide/nothing/").status_code == 404


def test_whoever_comes_to_the_front_without_a_log_in_is_told_what_this_is(client: Client) -> None:
    assert client.get("/").headers["Location"] == reverse("welcome")


def test_whoever_was_here_before_is_led_back_to_the_log_in(client: Client) -> None:
    client.cookies["sessionid"] = "over"
    assert client.get("/").headers["Location"].startswith("/accounts/login/")


def test_the_welcome_names_the_plans_as_they_are(client: Client) -> None:
    text = client.get(reverse("welcome")).content.decode()
    assert "Up to 3 accounts" in text
    assert "Unlimited accounts" in text
