#include "formats/format.h"

#include "codec/zip.h"
#include "formats/npy/npy.h"
#include "formats/npy/npz.h"

namespace lanthorn {
namespace {

bool matches(std::span<const std::byte> bytes) {
  if (looks_like_npy(bytes)) return true;
  const auto names = list_zip_names(bytes);
  if (names.empty()) return false;
  for (const std::string_view name : names) {
    if (!name.ends_with(".npy")) return false;
  }
  return true;
}

Result<FileContents> read(const std::shared_ptr<const MappedFile>& file, const ReadLimits& limits) {
  FileContents contents;
  if (looks_like_npy(file->bytes())) {
    contents.format = "npy";
    LAN_TRY(Tensor tensor, read_npy(file->bytes(), file, limits));
    const auto version = static_cast<int>(file->bytes()[6]);
    contents.format_version = std::to_string(version) + ".0";
    LAN_OK(contents.tensors.add("tensor", std::move(tensor)));
    return contents;
  }
  contents.format = "npz";
  LAN_TRY(contents.tensors, read_npz(file, limits, &contents.notes));
  return contents;
}

}  // namespace

extern const Format format_npy;
const Format format_npy{.name = "npy",
                        .versions = "NumPy's .npy 1.0 to 3.0 and .npz",
                        .matches = matches,
                        .read = read,
                        .written = ".npy 1.0 and .npz, stored"};

}  // namespace lanthorn
