#include "codec/zip.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lanthorn;
  const auto file = MappedFile::of(std::as_bytes(std::span(data, size)));
  list_zip_names(file->bytes());
  const auto archive = ZipArchive::open(file);
  if (!archive) return 0;
  (void)archive->check_case();
  for (const ZipEntry& entry : archive->entries()) {
    if (archive->find(entry.name) != &entry) std::abort();
    const auto content = archive->read(entry, 1 << 20);
    if (content && content->bytes.size() != entry.bytes) std::abort();
  }
  return 0;
}
