"""What goes over the broker: tasks as producers send them, events, callbacks, headers."""
