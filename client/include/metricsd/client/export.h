// Marks what libmetrics-client shows; everything else is hidden.
#pragma once

#define METRICSD_CLIENT_API __attribute__((visibility("default")))
// Within a class that is shown: what of it is not.
#define METRICSD_CLIENT_LOCAL __attribute__((visibility("hidden")))
