"""The second factor (ACC-04): allauth enrols and keeps the sealed secrets, django-otp verifies and throttles.

The two do not know each other; `forms.py` and `listeners.py` join them through the `FactorDevice` row.
"""
