"""Everything needed to run without Azure and without the Pulumi CLI; the product never imports it."""
