"""Experiments of papers on data seen through networks, on images of digits: functions that train and count."""
