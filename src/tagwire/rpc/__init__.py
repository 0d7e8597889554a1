"""Remote use of any module that has the Time Tagger API."""
