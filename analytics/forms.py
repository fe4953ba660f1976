"""The gallery's form: each kind of field, one of them wrong."""

from django import forms


class SampleForm(forms.Form):
    """Fields as pages have them."""

    name = forms.CharField(initial="Morning", help_text="A hint stands below its field.")
    qty = forms.IntegerField(label="Contracts", min_value=1, max_value=10)
    mode = forms.ChoiceField(choices=[("immediate", "Immediate"), ("confirmed", "Confirmed")])
    told = forms.BooleanField(label="Tell me by mail", required=False)


def sample() -> SampleForm:
    """Return the form with a mistake in it."""
    return SampleForm({"name": "Morning", "qty": "-3", "mode": "immediate"})
