#include "formats/scan/content.h"

#include <bit>

#include "codec/byte_reader.h"
#include "codec/tar.h"
#include "codec/zip.h"
#include "formats/onnx/import.h"

namespace lanthorn {
namespace {

struct Start {
  ContentKind kind;
  std::string_view bytes;
};

constexpr Start kStarts[] = {
    {ContentKind::kGzip, "\x1f\x8b\x08"},
    {ContentKind::kNpy, "\x93NUMPY"},
    {ContentKind::kHdf5, "\x89HDF\r\n\x1a\n"},
    {ContentKind::kGguf, "GGUF"},
    {ContentKind::kBzip2, "BZh"},
    {ContentKind::kXz,
     "\xfd"
     "7zXZ"},
    {ContentKind::kZstd, "\x28\xb5\x2f\xfd"},
    {ContentKind::kLz4, "\x04\x22\x4d\x18"},
    {ContentKind::kSevenZip, "7z\xbc\xaf\x27\x1c"},
    {ContentKind::kRar, "Rar!\x1a\x07"},
    {ContentKind::kMachineCode,
     "\x7f"
     "ELF"},
    {ContentKind::kMachineCode, "\xcf\xfa\xed\xfe"},
    {ContentKind::kMachineCode, "\xca\xfe\xba\xbe"},
};

/// The magic number of .pyc files since Python 3: two bytes of the version, CR, LF, and flags that
/// are small.
bool looks_like_bytecode(std::span<const std::byte> bytes) {
  if (bytes.size() < 16 || as_text(bytes.subspan(2, 2)) != "\r\n") return false;
  const auto version = load_little<uint16_t>(bytes.data());
  return version >= 3000 && version < 4000 && load_little<uint32_t>(bytes.data() + 4) < 4;
}

/// MZ, and the header of a portable executable where it says.
bool looks_like_windows_code(std::span<const std::byte> bytes) {
  if (bytes.size() < 64 || !as_text(bytes).starts_with("MZ")) return false;
  const auto header = load_little<uint32_t>(bytes.data() + 60);
  return header <= bytes.size() - 4 &&
         as_text(bytes.subspan(header, 4)) == std::string_view("PE\0\0", 4);
}

bool looks_like_safetensors(std::span<const std::byte> bytes) {
  if (bytes.size() < 10) return false;
  const auto header = load_little<uint64_t>(bytes.data());
  return header >= 2 && header < (uint64_t{1} << 32) && bytes[8] == std::byte{'{'};
}

/// One that joblib makes: deflate with a window of 32 KiB, and the check of its header.
bool looks_like_zlib(std::span<const std::byte> bytes) {
  if (bytes.size() < 8 || bytes[0] != std::byte{0x78}) return false;
  return (0x7800 + static_cast<unsigned>(bytes[1])) % 31 == 0;
}

/// The header of an .lzma file, as the LZMA utilities tell it: properties, a dictionary of 2^n or 2^n + 2^(n - 1) bytes, a size below
/// 256 GiB or unknown; then a range coder, which begins with 0.
bool looks_like_lzma(std::span<const std::byte> bytes) {
  constexpr unsigned kProperties = 9 * 5 * 5;
  if (bytes.size() < 14 || static_cast<unsigned>(bytes[0]) >= kProperties || bytes[13] != std::byte{0}) return false;
  const auto dictionary = load_little<uint32_t>(bytes.data() + 1);
  const auto size = load_little<uint64_t>(bytes.data() + 5);
  const uint32_t highest = std::bit_floor(dictionary);
  const bool regular = dictionary == UINT32_MAX || dictionary == highest || dictionary == highest + highest / 2;
  return regular && dictionary >= 4096 && (size == UINT64_MAX || size < (uint64_t{1} << 38));
}

}  // namespace

ContentKind content_kind(std::span<const std::byte> bytes) {
  if (bytes.empty()) return ContentKind::kEmpty;
  const std::string_view text = as_text(bytes);
  for (const Start& start : kStarts) {
    if (text.starts_with(start.bytes)) return start.kind;
  }
  if (looks_like_zip(bytes)) return ContentKind::kZip;
  if (bytes.size() >= 2 && bytes[0] == std::byte{0x80} && bytes[1] <= std::byte{5}) {
    return ContentKind::kPickle;
  }
  if (looks_like_tar(bytes)) return ContentKind::kTar;
  if (bytes.size() > 8 && text.substr(4, 4) == "PTMF") return ContentKind::kFlatbuffer;
  if (looks_like_safetensors(bytes)) return ContentKind::kSafetensors;
  if (looks_like_windows_code(bytes)) return ContentKind::kMachineCode;
  if (looks_like_bytecode(bytes)) return ContentKind::kBytecode;
  if (looks_like_lzma(bytes)) return ContentKind::kLzma;
  if (looks_like_zlib(bytes)) return ContentKind::kZlib;
  if (onnx::looks_like_model(bytes)) return ContentKind::kOnnx;
  if (const size_t first = text.substr(0, 64).find_first_not_of(" \t\r\n");
      first != text.npos && text[first] == '{') {
    return ContentKind::kJson;
  }
  return ContentKind::kOther;
}

std::string_view content_name(ContentKind kind) {
  constexpr std::string_view kNames[] = {
      "bytes",         "no bytes",       "a pickle",       "a zip archive", "gzip data",
      "zlib data",     "a tar archive",  "a NumPy array",  "an ONNX model", "safetensors",
      "JSON",          "a mobile model", "an HDF5 file",   "a GGUF file",   "bzip2 data",
      "xz data",       "LZMA data",      "Zstandard data", "LZ4 data",      "a 7z archive",
      "a RAR archive", "machine code",   "Python bytecode"};
  return kNames[static_cast<size_t>(kind)];
}

}  // namespace lanthorn
