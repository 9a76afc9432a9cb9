"""Passes: functions from model to model, by name, in pipelines that are plain lists."""
