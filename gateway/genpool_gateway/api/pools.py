"""Pools and workflows."""

from __future__ import annotations
