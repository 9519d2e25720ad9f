"""The one door to resident data: decide → record the intent → read → mask → stage → record the result → hand over."""
