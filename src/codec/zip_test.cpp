#include "codec/zip.h"

#include <gtest/gtest.h>

#include <cstring>

#include "codec/byte_reader.h"
#include "codec/zip_writer.h"
#include "tests/golden/golden.h"

namespace lanthorn {
namespace {

std::string archive_of(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string file;
  ZipWriter writer([&](std::span<const std::byte> bytes) {
    file += as_text(bytes);
    return ok();
  });
  for (const auto& [name, content] : entries) EXPECT_TRUE(writer.add(name, as_bytes(content)).ok());
  EXPECT_TRUE(writer.finish().ok());
  return file;
}

Result<ZipArchive> open(const std::string& file) {
  return ZipArchive::open(MappedFile::of(as_bytes(file)));
}

void expect_corrupt(const std::string& file, std::string_view sentence) {
  const auto archive = open(file);
  ASSERT_FALSE(archive.ok()) << sentence;
  EXPECT_EQ(archive.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(archive.error().message.find(sentence), std::string::npos) << archive.error().message;
}

template <class T>
std::string with(std::string file, size_t offset, T value) {
  std::memcpy(file.data() + offset, &value, sizeof value);
  return file;
}

/// Offset of the `count`th record with this signature.
size_t find_record(const std::string& file, std::string_view signature, int count = 1) {
  size_t at = file.find(signature);
  while (--count > 0) at = file.find(signature, at + 1);
  return at;
}

const std::string kTwo = archive_of({{"m/a", "alpha"}, {"m/b", "beta beta"}});
const std::string_view kLocal = "PK\x03\x04", kCentral = "PK\x01\x02", kEnd = "PK\x05\x06";

TEST(zip, entries_are_found_and_lie_at_multiples_of_64) {
  const auto archive = open(kTwo);
  ASSERT_TRUE(archive.ok()) << archive.error().text();
  ASSERT_EQ(archive->entries().size(), 2U);
  const ZipEntry* entry = archive->find("m/b");
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->payload % 64, 0U);
  EXPECT_EQ(as_text(*archive->stored(*entry, true)), "beta beta");
  EXPECT_EQ(archive->find("m/c"), nullptr);
}

TEST(zip, an_archive_of_pytorch_with_descriptors_is_read) {
  auto file = MappedFile::open(golden("torch/state.pth"));
  ASSERT_TRUE(file.ok());
  const auto archive = ZipArchive::open(*file);
  ASSERT_TRUE(archive.ok()) << archive.error().text();
  const ZipEntry* version = archive->find("state/version");
  ASSERT_NE(version, nullptr);
  EXPECT_EQ(as_text(archive->read(*version, 100)->bytes), "3\n");
}

TEST(zip, deflated_entries_are_inflated_within_the_limit) {
  auto file = MappedFile::open(golden("npy/compressed.npz"));
  ASSERT_TRUE(file.ok());
  const auto archive = ZipArchive::open(*file);
  ASSERT_TRUE(archive.ok());
  const ZipEntry* entry = archive->find("a.npy");
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->method, 8);
  EXPECT_EQ(archive->read(*entry, 1 << 20)->bytes.size(), 132U);
  EXPECT_EQ(archive->read(*entry, 131).error().code, ErrorCode::kLimit);
  EXPECT_EQ(archive->stored(*entry, true).error().code, ErrorCode::kUnsupported);
}

TEST(zip, a_changed_byte_is_found_by_its_crc_and_a_crc_of_zero_is_none) {
  std::string file = kTwo;
  file[file.find("alpha")] = 'A';
  const auto archive = open(file);
  ASSERT_TRUE(archive.ok());
  const ZipEntry* entry = archive->find("m/a");
  EXPECT_EQ(archive->read(*entry, 100).error().code, ErrorCode::kCorrupt);
  EXPECT_TRUE(archive->stored(*entry, false).ok());
  const auto uncounted = open(with<uint32_t>(file, find_record(file, kCentral) + 16, 0));
  ASSERT_TRUE(uncounted.ok());
  EXPECT_TRUE(uncounted->read(*uncounted->find("m/a"), 100).ok());
}

TEST(zip, lies_of_the_end_record_are_refused) {
  const size_t end = find_record(kTwo, kEnd);
  expect_corrupt(with<uint32_t>(kTwo, end + 16, 0x0fffffff), "central directory at byte 268435455");
  expect_corrupt(with<uint32_t>(kTwo, end + 12, 5), "5 bytes of central directory");
  expect_corrupt(with<uint32_t>(kTwo, end + 8, 0x00010001), "more entries than the 1");
  expect_corrupt(with<uint32_t>(kTwo, end + 8, 0xea60ea60), "60000 entries do not fit");
  expect_corrupt(with<uint16_t>(kTwo, end + 8, 1), "several disks");
  expect_corrupt(with<uint16_t>(kTwo, end + 20, 9), "passes the end of the file");
  expect_corrupt(kTwo.substr(0, kTwo.size() - 30), "no end record");
}

TEST(zip, bytes_after_the_end_record_are_ignored) {
  EXPECT_TRUE(open(kTwo + std::string(100, 'x')).ok());
}

TEST(zip, lies_of_the_directory_and_the_local_headers_are_refused) {
  const size_t first = find_record(kTwo, kCentral), second = find_record(kTwo, kCentral, 2);
  const size_t local = find_record(kTwo, kLocal);
  expect_corrupt(with<uint32_t>(kTwo, second + 42, 0), "has another name");
  expect_corrupt(with<uint32_t>(kTwo, second + 42, 3), "no local header");
  expect_corrupt(with<uint32_t>(kTwo, second + 42, 0x7fffffff), "no local header");
  expect_corrupt(with<uint32_t>(kTwo, first + 20, 500), "pass the central directory");
  expect_corrupt(with<uint32_t>(kTwo, first + 20, 4), "other sizes");
  expect_corrupt(with<uint16_t>(kTwo, local + 8, 8), "another compression method");
  expect_corrupt(with<uint32_t>(kTwo, first + 24, 0xffffffff), "has no room");
  expect_corrupt(with<uint16_t>(kTwo, local + 26, 0xffff), "passes the central directory");
}

TEST(zip, entries_that_share_bytes_are_refused) {
  std::string file = kTwo;
  for (const size_t at : {find_record(file, kLocal) + 18, find_record(file, kCentral) + 20}) {
    file = with<uint32_t>(with<uint32_t>(file, at, 70), at + 4, 70);
  }
  expect_corrupt(file, "share bytes");
}

TEST(zip, names_that_no_archive_should_have_are_refused) {
  expect_corrupt(archive_of({{"/m/a", ""}}), "absolute");
  expect_corrupt(archive_of({{"m/../a", ""}}), "leaves its folder");
  expect_corrupt(archive_of({{"m\\..\\a", ""}}), "leaves its folder");
  expect_corrupt(archive_of({{"m/\xff", ""}}), "not UTF-8");
  expect_corrupt(archive_of({{"m/a", ""}, {"m/a", ""}}), "two entries named 'm/a'");
  EXPECT_TRUE(open(archive_of({{"m/..a..", ""}})).ok());
}

TEST(zip, names_that_differ_in_case_are_two_for_zip_and_one_for_pytorch) {
  const auto archive = open(archive_of({{"m/a", ""}, {"M/A", ""}}));
  ASSERT_TRUE(archive.ok());
  EXPECT_EQ(archive->check_case().error().code, ErrorCode::kCorrupt);
  EXPECT_TRUE(open(kTwo)->check_case().ok());
}

TEST(zip, encrypted_and_unknown_entries_are_named) {
  const size_t central = find_record(kTwo, kCentral), local = find_record(kTwo, kLocal);
  const auto encrypted =
      open(with<uint16_t>(with<uint16_t>(kTwo, central + 8, 0x801), local + 6, 0x801));
  ASSERT_TRUE(encrypted.ok());
  EXPECT_EQ(encrypted->read(*encrypted->find("m/a"), 100).error().message,
            "the entry is encrypted");
  const auto strange = open(with<uint16_t>(with<uint16_t>(kTwo, central + 10, 14), local + 8, 14));
  ASSERT_TRUE(strange.ok());
  EXPECT_EQ(strange->read(*strange->find("m/a"), 100).error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace lanthorn
