#pragma once

#include "core/file_reader.hpp"

namespace skep::cli {

/// The files of this machine, for `skep deploy -c`: links are followed, as the Docker CLI does.
class HostFiles final : public FileReader {
 public:
  [[nodiscard]] Result<std::optional<std::string>> read(const std::string& path) const override;
};

}  // namespace skep::cli
