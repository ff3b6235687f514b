"""The channel of providers of mail: django-anymail hands messages to any of its providers and reads what they tell of them."""
