// doctor: whether all is well with this device.

#include "apps/hearth/client.h"
#include "apps/hearth/commands.h"

#include <iostream>
#include <nlohmann/json.hpp>

namespace hearth::cli {

namespace {

using Lines = std::vector<std::string>;

void askDatabase(Client& client, Lines& problems, uint64_t& pages) {
  auto response = client.daemon().checkUpRequest().send().wait(client.waitScope());
  pages = response.getPages();
  for (auto problem: response.getProblems())
    problems.push_back("the database: " + std::string(problem.cStr()));
}

void askStatus(Client& client, Lines& problems) {
  auto response = client.daemon().statusRequest().send().wait(client.waitScope());
  for (auto alarm: response.getStatus().getAlarms()) problems.push_back(alarm.cStr());
}

void askFolders(Client& client, Lines& problems) {
  auto folders = client.daemon().foldersRequest().send().getFolders();
  auto response = folders.listRequest().send().wait(client.waitScope());
  for (auto folder: response.getFolders()) {
    auto name = "folder " + std::string(folder.getName().cStr()) + ": ";
    if (folder.getProblem().size() > 0) problems.push_back(name + folder.getProblem().cStr());
    for (auto trouble: folder.getTroubles()) {
      if (!trouble.getLeftOut())
        problems.push_back(name + trouble.getPath().cStr() + ": " + trouble.getWhat().cStr());
    }
  }
}

}  // namespace

int doctor(const Common& common) {
  Client client(common.home.c_str());
  uint64_t pages = 0;
  Lines problems;
  askDatabase(client, problems, pages);
  askStatus(client, problems);
  askFolders(client, problems);
  if (common.json) {
    printJson({{"pages", pages}, {"problems", problems}});
  } else {
    for (auto& problem: problems) std::cout << problem << "\n";
    if (problems.empty())
      std::cout << "All is well: " << pages << " pages of the database are as they were written.\n";
  }
  return problems.empty() ? DONE : FAILED;
}

}  // namespace hearth::cli
