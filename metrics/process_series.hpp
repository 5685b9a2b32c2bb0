#pragma once

#include "metrics/exposition.hpp"

namespace skep::metrics {

/// The standard process_* metrics of this process, read from procfs; what cannot be read is left
/// out.
void write_process_series(Exposition& out);

}  // namespace skep::metrics
