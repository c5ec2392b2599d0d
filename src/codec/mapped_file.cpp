#include "codec/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace lanthorn {
namespace {

Error system_error(const std::filesystem::path& path, int number) {
  const bool missing = number == ENOENT || number == ENOTDIR;
  return Error{missing ? ErrorCode::kNotFound : ErrorCode::kSystem,
               missing ? "there is no such file"
                       : "the file cannot be read: " + std::generic_category().message(number),
               path.string()};
}

}  // namespace

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a pipe must not wait for somebody to write into it.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return system_error(path, errno);
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) {
    const int number = errno;
    ::close(descriptor);
    return system_error(path, number);
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(descriptor);
    return Error{
        ErrorCode::kSystem,
        S_ISDIR(status.st_mode) ? "this is a folder, not a file" : "this is not a regular file",
        path.string()};
  }
  auto file = std::shared_ptr<MappedFile>(new MappedFile);
  file->path_ = path;
  const auto size = static_cast<size_t>(status.st_size);
  if (size > 0) {
    void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    const int number = errno;
    if (address == MAP_FAILED) {
      ::close(descriptor);
      return system_error(path, number);
    }
    file->bytes_ = {static_cast<const std::byte*>(address), size};
    file->kind_ = Kind::kMapped;
  }
  ::close(descriptor);
  return std::shared_ptr<const MappedFile>(std::move(file));
}

std::shared_ptr<const MappedFile> MappedFile::of(std::span<const std::byte> bytes) {
  auto file = std::shared_ptr<MappedFile>(new MappedFile);
  if (bytes.empty()) return file;
  auto* copy = static_cast<std::byte*>(::operator new (bytes.size(), std::align_val_t{64}));
  std::memcpy(copy, bytes.data(), bytes.size());
  file->bytes_ = {copy, bytes.size()};
  file->kind_ = Kind::kCopied;
  return file;
}

std::shared_ptr<const MappedFile> MappedFile::view(std::span<const std::byte> bytes) {
  auto file = std::shared_ptr<MappedFile>(new MappedFile);
  file->bytes_ = bytes;
  return file;
}

void MappedFile::advise(std::span<const std::byte> part, int advice) const {
  constexpr uintptr_t kPage = 4096;
  const auto address = [](const std::byte* at) { return reinterpret_cast<uintptr_t>(at); };
  uintptr_t begin = address(part.data()), end = begin + part.size();
  if (kind_ != Kind::kMapped || begin < address(bytes_.data()) ||
      end > address(bytes_.data() + bytes_.size())) {
    return;
  }
  begin = begin / kPage * kPage;
  end = (end + kPage - 1) / kPage * kPage;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, advice);
}

void MappedFile::prefetch(std::span<const std::byte> part) const {
  constexpr int kPopulateRead = 22;  // MADV_POPULATE_READ of Linux 5.14
  advise(part, kPopulateRead);
}

void MappedFile::release(std::span<const std::byte> part) const {
  advise(part, MADV_DONTNEED);
}

MappedFile::~MappedFile() {
  if (bytes_.empty() || kind_ == Kind::kViewed) return;
  auto* address = const_cast<std::byte*>(bytes_.data());
  if (kind_ == Kind::kMapped) {
    ::munmap(address, bytes_.size());
  } else {
    ::operator delete (address, std::align_val_t{64});
  }
}

}  // namespace lanthorn
