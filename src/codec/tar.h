#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lanthorn/result.h"

namespace lanthorn {

struct TarMember {
  std::string name;  // without a leading "./"
  std::string link;  // where a link leads
  char type = '0';   // '0' a file, '1' a hard link, '2' a symbolic link, '5' a folder
  std::span<const std::byte> bytes;
  uint64_t offset = 0;  // of its bytes in the file
};

/// The members of a tar archive (POSIX ustar with GNU's and pax's long names), in order, up to
/// where it breaks.
struct TarListing {
  std::vector<TarMember> members;
  std::optional<Error> error;  // kCorrupt, kLimit
};
TarListing list_tar(std::span<const std::byte> bytes);

/// True if the bytes begin with the header of a tar archive's member.
bool looks_like_tar(std::span<const std::byte> bytes);

}  // namespace lanthorn
