"""Moving files so that nothing is ever lost: plan, show, apply, undo; what they shall be called; archives."""
