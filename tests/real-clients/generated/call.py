"""Calls endpoints through a client that was generated from the instance's OpenAPI document."""

import sys

from shop_client import AuthenticatedClient, Client
