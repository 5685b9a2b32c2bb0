#pragma once

#include "compose/convert.hpp"

/// What no engine takes, although the Docker CLI passes it on: found here, it is refused before
/// anything is written, with its place. Only rules that all engines since 20.10 share.
namespace skep::compose {

/// Of the stack: what its services are called begins with it. Their own names are not blamed then.
void check_stack_name_for_engine(const Conversion& conversion);
void check_for_engine(const ServiceConversion& conversion, const swarm::ServiceSpec& spec);
/// A network that is to be made.
void check_for_engine(const Conversion& conversion,
                      const std::string& key,
                      const Network& network,
                      const std::string& name);
/// A secret or config, and its name there.
void check_for_engine(const Conversion& conversion,
                      const std::string& key,
                      const FileObject& object,
                      const std::string& kind,
                      std::size_t bytes);
void check_name_for_engine(const Conversion& conversion,
                           const std::string& key,
                           const FileObject& object,
                           const std::string& kind,
                           const std::string& name);
/// Names of objects of the stack that differ in letter case only: the engine takes them for one.
void check_letter_case_for_engine(const Conversion& conversion, const swarm::StackSpec& stack);

}  // namespace skep::compose
