#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace lanthorn {

/// What bytes look like by their beginning, for a scanner: anything that a program may act on.
enum class ContentKind : uint8_t {
  kOther,  // a pickle of protocol 0 or 1, perhaps
  kEmpty,
  kPickle,  // the protocol byte of 2 to 5
  kZip,
  kGzip,
  kZlib,
  kTar,
  kNpy,
  kOnnx,
  kSafetensors,
  kJson,
  kFlatbuffer,  // of a mobile model
  kHdf5,
  kGguf,
  kBzip2,
  kXz,
  kLzma,
  kZstd,
  kLz4,
  kSevenZip,
  kRar,
  kMachineCode,
  kBytecode,  // of Python
};

ContentKind content_kind(std::span<const std::byte> bytes);
/// "a 7z archive", "gzip data"; "bytes" of kOther.
std::string_view content_name(ContentKind kind);

}  // namespace lanthorn
