"""What plans allow and how a subscription goes on. Pure: values in, values out."""
