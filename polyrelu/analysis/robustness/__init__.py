"""The nearest change of class around a point, exactly and with a proof."""
