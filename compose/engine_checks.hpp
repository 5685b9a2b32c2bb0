#pragma once

#include "compose/convert.hpp"

/// What no engine takes, although the Docker CLI passes it on: found here, it is refused before
/// anything is written, with its place. Only rules that all engines since 20.10 share.
namespace skep::compose {

void check_for_engine(const ServiceConversion& conversion, const swarm::ServiceSpec& spec);
void check_for_engine(const Conversion& conversion,
                      const std::string& key,
                      const FileObject& object,
                      const std::string& kind,
                      const std::string& name,
                      std::size_t bytes);

}  // namespace skep::compose
